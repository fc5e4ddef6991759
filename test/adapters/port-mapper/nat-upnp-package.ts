const PACKAGE = new URL('./fixtures/nat-upnp.mjs', import.meta.url);

/** What to import as nat-upnp: the package itself, whose searches are told that the gateway's description is at `location`, or `none`. */
export function withLocation(location: string): string {
  return `${PACKAGE.href}?location=${encodeURIComponent(location)}`;
}

/** The same, whose searches find an answer that says no location. */
export const WITHOUT_LOCATION = PACKAGE.href;
