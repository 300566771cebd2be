// @ts-check
import { BackendsPanel } from './backends.js';
import { CallPanel } from './call.js';
import { DevicesPanel } from './devices.js';
import { Gateway } from './gateway.js';
import { showGuide } from './guide.js';
import { Header } from './header.js';
import { find, inFrame, onMotionChange } from './parts.js';
import { RoutesPanel } from './routes.js';
import { StreamPanel } from './stream.js';
import { themeSwitch } from './theme.js';
import { WaveformPanel } from './waveform.js';

const TICK = 500;
/** What the demo's first look shows. */
const FIRST = 'quotes';

const gateway = new Gateway();
const header = new Header(gateway);
const stream = new StreamPanel(find(document, '#stream'), gateway, () => inFrame(tick));
const call = new CallPanel(find(document, '#call'));
const waveform = new WaveformPanel(find(document, '#waveform'), gateway, () => inFrame(tick));
const routes = new RoutesPanel(find(document, '#routes'));
const devices = new DevicesPanel(find(document, '#devices'));
const backends = new BackendsPanel(find(document, '#backends'));

let shown = '';

/** Fills the panels when the routes are not the ones shown: at first, and after a change of the configuration. */
function showRoutes() {
  const health = gateway.health;
  if (!health) return;
  const text = JSON.stringify([health.demo, health.routes]);
  if (text === shown) return;
  shown = text;
  const all = Object.entries(health.routes);
  const streams = all.filter(([, route]) => route.kind === 'stream').sort(([a], [b]) => Number(b === FIRST) - Number(a === FIRST));
  stream.setRoutes(Object.fromEntries(streams));
  call.setRoutes(Object.fromEntries(all.filter(([, route]) => route.kind !== 'stream')), health.demo);
  // The demo draws its waveform; with a configuration the place is the routes'.
  const drawn = health.demo ? health.routes['waveform'] : undefined;
  waveform.setRoute('waveform', drawn);
  routes.setRoutes(health);
  find(document, '#waveform').hidden = drawn === undefined;
  find(document, '#routes').hidden = drawn !== undefined;
}

function tick() {
  const now = performance.now();
  const states = [stream.tick(now), waveform.tick(now)];
  header.tick(now, states, stream.rate.perSecond + waveform.rate.perSecond);
}

function redraw() {
  waveform.redraw();
  stream.redraw();
}

gateway.watch(() => {
  showRoutes();
  backends.show(gateway);
  void devices.show(gateway);
  tick();
});
themeSwitch(/** @type {HTMLButtonElement} */ (find(document, '#theme')), redraw);
onMotionChange(redraw);
showGuide(find(document, '#guide'));
setInterval(tick, TICK);
void gateway.ask();
