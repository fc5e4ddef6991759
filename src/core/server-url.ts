/** One text a server: `ws://host:8790` and `ws://host:8790/` are the same. What is no URL stays as it is. */
export function normalizeServerUrl(url: string): string {
  return URL.canParse(url) ? new URL(url).href : url;
}

/**
 * The one spelling of a server's `host[:port]`, as a URL, a Host header or an operator names it: lower case, IPv6
 * literals in brackets, without the default ports 80 and 443, since a proxy in front may add or take TLS. `undefined`
 * when the text is none.
 */
export function parseServerName(text: string): string | undefined {
  const url = `ws://${text}`;
  if (!/^[\x21-\x7e]{1,255}$/.test(text) || /[/?#@\\]/.test(text) || !URL.canParse(url)) return undefined;
  return new URL(url).host.replace(/:443$/, '');
}
