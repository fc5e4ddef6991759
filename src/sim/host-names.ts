/** The names that every host of a simulated internet can resolve, in upper and lower case alike (RFC 4343). */
export class HostNames {
  readonly #addresses = new Map<string, () => readonly string[]>();

  has(name: string): boolean {
    return this.#addresses.has(name.toLowerCase());
  }

  /** `addresses` gives those that the name has at the moment. */
  add(name: string, addresses: () => readonly string[]): void {
    this.#addresses.set(name.toLowerCase(), addresses);
  }

  /** None when nobody has the name. */
  resolve(name: string): readonly string[] {
    return this.#addresses.get(name.toLowerCase())?.() ?? [];
  }
}
