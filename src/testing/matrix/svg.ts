/** A small writer of SVG: elements are text, attributes and character data are escaped. */
export type SvgText = { readonly svg: string };

export type SvgAttributes = Readonly<Record<string, string | number | undefined>>;

/** An element; children that are strings are character data. Attributes that are `undefined` are left out. */
export function element(name: string, attributes: SvgAttributes, ...children: readonly (SvgText | string)[]): SvgText {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined);
  const opening = [name, ...given.map(([key, value]) => `${key}="${escapeText(String(value))}"`)].join(' ');
  if (children.length === 0) return { svg: `<${opening}/>` };
  const isText = children.every((child) => typeof child === 'string');
  const content = children.map((child) => (typeof child === 'string' ? escapeText(child) : child.svg));
  return {
    svg: isText ? `<${opening}>${content.join('')}</${name}>` : [`<${opening}>`, ...content, `</${name}>`].join('\n'),
  };
}

/** A style sheet. It must not hold what XML gives a meaning to. */
export function styleSheet(css: string): SvgText {
  return { svg: `<style>\n${css.trim()}\n</style>` };
}

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
