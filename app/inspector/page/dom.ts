/** Elements in one expression. */

type Child = Node | string | null;

export interface Attributes {
  class?: string;
  /** Called when it is clicked or pressed. */
  press?: () => void;
  [name: string]: string | number | boolean | (() => void) | undefined;
}

/** `true` sets an attribute without a value; `false` and `undefined` leave it out. */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener('click', value);
    else if (value !== undefined && value !== false)
      element.setAttribute(key, value === true ? '' : String(value));
  }
  fill(element, ...children);
  return element;
}

/** The only children of the element from now on. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child) => child !== null));
}

export const button = (label: string, press: () => void, attributes: Attributes = {}) =>
  el('button', { type: 'button', press, ...attributes }, label);
