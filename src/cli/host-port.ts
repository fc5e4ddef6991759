import { InvalidArgumentError } from 'commander';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[::1]:port` or a bare port on this machine, as commander's argument parser. */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+)):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    throw new InvalidArgumentError('Write host:port, for example 127.0.0.1:22.');
  }
  return { host: match[1] ?? match[2] ?? '127.0.0.1', port };
}
