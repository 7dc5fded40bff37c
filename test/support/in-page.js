/** What tests look at from inside the inspector's page; `inPage` is there before the page is. */
globalThis.inPage = {
  /** From now on, the states in words that a device's panel shows, in order. */
  watchStates(device) {
    const words = document.querySelector(`.${device} .state-words`);
    const seen = [];
    globalThis.inPage.seen[device] = seen;
    new MutationObserver(() => {
      const text = words.textContent;
      if (text !== '' && text !== seen.at(-1)) seen.push(text);
    }).observe(words, { childList: true, characterData: true });
  },
  seen: {},

  /** Pairs of elements whose boxes cover each other, by their texts. */
  overlapping(selector) {
    const shown = [...document.querySelectorAll(selector)]
      .map((element) => ({ text: element.textContent, box: element.getBoundingClientRect() }))
      .filter(({ text, box }) => text !== '' && box.width > 0 && box.height > 0);
    return shown.flatMap(({ text, box }, i) =>
      shown
        .slice(i + 1)
        .filter(
          ({ box: other }) =>
            Math.min(box.right, other.right) - Math.max(box.left, other.left) > 1 &&
            Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top) > 1,
        )
        .map((other) => `${text} | ${other.text}`),
    );
  },

  /** Whether the innermost lit state of a device's chart is where the person can see it. */
  sees(device) {
    const frame = document.querySelector(`.${device} .scroller`).getBoundingClientRect();
    const lit = [...document.querySelectorAll(`.${device} .state.active > rect`)];
    const box = lit
      .map((rect) => rect.getBoundingClientRect())
      .toSorted((a, b) => a.height - b.height)[0];
    return box.top >= frame.top && box.bottom <= frame.bottom;
  },

  isTooWide: () => document.documentElement.scrollWidth > innerWidth,

  /** The frames that the charts show, as the server has them. */
  async views() {
    const places = [...document.querySelectorAll('[data-frame]')].flatMap(({ dataset }) =>
      dataset.frame.split(',').filter(Boolean),
    );
    return ask(`api/views?${new URLSearchParams(places.map((place) => ['at', place]))}`);
  },

  flow: (id) => ask(`api/flow?id=${encodeURIComponent(id)}`),

  /** Rules that are broken, and how often; the tool is in the page already. */
  async violations() {
    const { violations } = await globalThis.axe.run();
    return violations.map(({ id, nodes }) => `${id} × ${nodes.length}: ${nodes[0].html}`);
  },
};

async function ask(path) {
  const answer = await fetch(path);
  return answer.json();
}
