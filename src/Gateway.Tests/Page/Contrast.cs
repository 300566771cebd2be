namespace Gateway.Tests.Page;

/// <summary>WCAG 2.2, 1.4.3 and 1.4.11: what has less contrast than AA asks for.</summary>
internal static class Contrast
{
    /// <summary>Returns one line for each visible text below 4.5:1, and for each state's shape below 3:1.</summary>
    public const string Script = """
        () => {
          const channel = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
          const parse = text => {
            const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
            return { light: 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255), a };
          };
          const behind = element => {
            for (let at = element; at; at = at.parentElement) {
              const colour = parse(getComputedStyle(at).backgroundColor);
              if (colour.a === 1) return colour.light;
            }
            return 1;
          };
          const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          const low = [];
          let seen = 0;
          for (const element of document.querySelectorAll('body *')) {
            if (!element.checkVisibility({ visibilityProperty: true }) || element.closest('.unseen, .skip')) continue;
            const isMark = element.matches('.mark');
            const hasText = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()) || element.matches('input, textarea, select');
            if (!isMark && !hasText) continue;
            seen++;
            const found = ratio(parse(getComputedStyle(element).color).light, behind(isMark ? element.parentElement : element));
            if (found < (isMark ? 3 : 4.5)) low.push(`${element.tagName}.${element.className} "${element.textContent.slice(0, 20)}" has ${found.toFixed(2)}`);
          }
          return seen > 50 ? low : [`only ${seen} parts were seen`];
        }
        """;
}
