/** One text a server: `ws://host:8790` and `ws://host:8790/` are the same. What is no URL stays as it is. */
export function normalizeServerUrl(url: string): string {
  return URL.canParse(url) ? new URL(url).href : url;
}
