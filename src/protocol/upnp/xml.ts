import { createRequire } from 'node:module';
import type { XMLParser } from 'fast-xml-parser';
import { DecodeError } from '../../core/errors.ts';

/** An element without its attributes and namespaces, neither of which tells anything that its name does not. */
export interface XmlElement {
  /** Without prefix. */
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** Character data, references to predefined entities and characters replaced, without blanks at its ends. */
  readonly text: string;
}

/**
 * Reads the root element. No document type declaration is accepted, so that there are no entities to expand (SOAP 1.1 section 3), and
 * neither are more than 24 levels or 8,192 tags; elements that do not match or do not end are read as well as can be.
 * Throws `DecodeError` under `where`.
 */
export function parseXml(bytes: Uint8Array, where: string): XmlElement {
  const text = utf8.decode(bytes);
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) throw new DecodeError(`${where}/xml`, 'it has a document type declaration');
  if (text.split('<', MAX_TAGS + 2).length > MAX_TAGS + 1) throw new DecodeError(`${where}/xml`, 'too many elements');
  const [root, ...others] = elements(parse(text, where));
  if (root === undefined || others.length > 0) throw new DecodeError(`${where}/xml`, 'not one element');
  return root;
}

/** The first child of that name. */
export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

export function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** Text of the first child of that name, `''` without one. */
export function textOf(element: XmlElement, name: string): string {
  return childOf(element, name)?.text ?? '';
}

/** Writes an element with elements in it. */
export function element(name: string, ...children: readonly string[]): string {
  return `<${name}>${children.join('')}</${name}>`;
}

/** Writes an element with text in it. */
export function textElement(name: string, text: string): string {
  return element(name, escapeXml(text));
}

/** Writes text as content of an element. */
function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function parse(text: string, where: string): readonly ParsedNode[] {
  try {
    return theParser().parse(text) as readonly ParsedNode[];
  } catch (cause) {
    throw new DecodeError(`${where}/xml`, cause instanceof Error ? cause.message.slice(0, 80) : undefined);
  }
}

/** What the parser makes of an element, `{ name: its content }`, or of text, `{ '#text': it }`. */
type ParsedNode = Readonly<Record<string, readonly ParsedNode[] | string>>;

function elements(nodes: readonly ParsedNode[]): readonly XmlElement[] {
  return nodes.flatMap((node) =>
    Object.entries(node).flatMap(([name, content]) =>
      typeof content === 'string' ? [] : [{ name, children: elements(content), text: characterData(content) }],
    ),
  );
}

function characterData(nodes: readonly ParsedNode[]): string {
  const texts = nodes.map((node) => node['#text']).filter((text) => typeof text === 'string');
  return texts.join('').replace(REFERENCE, resolveReference).trim();
}

/** XML 1.0 sections 4.1 and 4.6. A reference to anything else stays as it is. */
const REFERENCE = /&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi;

function resolveReference(reference: string, name?: string, decimal?: string, hex?: string): string {
  if (name !== undefined) return PREDEFINED[name.toLowerCase()] ?? reference;
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : reference;
}

const PREDEFINED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The parser counts from the root's children, and not the empty elements. */
const MAX_LEVELS = 22;
const MAX_TAGS = 8192;

/** Lenient: device descriptions in other encodings are common, and only their names suffer. */
const utf8 = new TextDecoder('utf-8');

let parser: XMLParser | undefined;

/** Loaded by the first document, and as CommonJS, which takes a fifth of the time: most hosts never meet a gateway that speaks XML. */
function theParser(): XMLParser {
  if (parser !== undefined) return parser;
  const { XMLParser } = createRequire(import.meta.url)('fast-xml-parser') as typeof import('fast-xml-parser');
  parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: true,
    removeNSPrefix: true,
    parseTagValue: false,
    trimValues: false,
    processEntities: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
    maxNestedTags: MAX_LEVELS,
  });
  return parser;
}
