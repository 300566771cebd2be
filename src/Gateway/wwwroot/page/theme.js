// @ts-check
// Runs before the first paint, so that a chosen theme does not flash.

const THEMES = ['auto', 'light', 'dark'];
const KEY = 'gateway.theme';

/** @param {string} theme */
function apply(theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** The stored choice; storage may be forbidden, then it lasts as long as the page. */
function stored() {
  try {
    const theme = localStorage.getItem(KEY) ?? 'auto';
    return THEMES.includes(theme) ? theme : 'auto';
  } catch (e) {
    if (e instanceof DOMException) return 'auto';
    throw e;
  }
}

/** @param {string} theme */
function store(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch (e) {
    if (!(e instanceof DOMException)) throw e;
  }
}

let theme = stored();
apply(theme);

/** @param {HTMLElement} button @param {() => void} changed Called when colours are no longer what they were. */
export function themeSwitch(button, changed) {
  const show = () => { button.textContent = `Theme: ${theme}`; };
  button.addEventListener('click', () => {
    theme = /** @type {string} */ (THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
    store(theme);
    apply(theme);
    show();
    changed();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
  show();
}
