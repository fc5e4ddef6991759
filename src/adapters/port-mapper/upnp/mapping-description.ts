import { DEFAULT_DESCRIPTION } from '../conduct.ts';

/**
 * What stands in the gateway's table: the word by which people and later processes know what Sallyport made, then what the caller says,
 * in plain characters and not too long, since some gateways choke on others.
 */
export function mappingDescription(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9._:/-]+/g, ' ').trim();
  const whole = isOurDescription(plain) ? plain : `${DEFAULT_DESCRIPTION} ${plain}`;
  return whole.slice(0, MAX_LENGTH).trim();
}

export function isOurDescription(description: string): boolean {
  return description === DEFAULT_DESCRIPTION || description.startsWith(`${DEFAULT_DESCRIPTION} `);
}

const MAX_LENGTH = 48;
