/**
 * An ICE agent as a program of the laboratory, in TypeScript or C. It gathers at once, and both sides speak in lines:
 *
 *   < a=ice-ufrag:.., a=ice-pwd:.., a=candidate:.., a=end-of-candidates   what the other side is to be told (RFC 8839), as it comes
 *   > the same                                                            what the other side told
 *   > restart                < new credentials and candidates, on the same sockets; the other side's are to follow
 *   > ping <count>           < echoed <count>: sends so many datagrams one after the other, each up to a second after the one before
 *   > status                 < status <JSON>, where the agent has figures to give
 *                            < nominated <local endpoint> <remote endpoint>, each time it is another pair
 *                            < state <name>, where the agent has states
 *
 * Datagrams `ping <n>` are sent back as `pong <n>`. The program ends with its standard input.
 */
import { createInterface } from 'node:readline';

export interface IceProgram {
  tell(description: { readonly ufrag: string; readonly pwd: string } | { readonly candidate: string } | 'end'): void;
  restart(): void;
  send(data: Uint8Array): void;
  status(): Readonly<Record<string, unknown>>;
}

/** What a program does with its lines; `receive` is for the datagrams that come in. */
export interface IceProgramInput {
  /** Fulfils with the input's end. */
  readonly ended: Promise<void>;
  receive(data: Uint8Array): void;
}

export function obeyLines(program: IceProgram): IceProgramInput {
  let ufrag = '';
  let ping = { count: 0, sent: 0, echoed: 0 };
  let silence: NodeJS.Timeout | undefined;

  const obey = (line: string): void => {
    const [, name, value = ''] = /^(?:a=)?([a-z-]+)[: ]?(.*)$/.exec(line) ?? [];
    if (name === 'ice-ufrag') ufrag = value;
    else if (name === 'ice-pwd') program.tell({ ufrag, pwd: value });
    else if (name === 'candidate') program.tell({ candidate: value });
    else if (name === 'end-of-candidates') program.tell('end');
    else if (name === 'restart') program.restart();
    else if (name === 'status') console.log(`status ${JSON.stringify(program.status())}`);
    else if (name === 'ping') {
      ping = { count: Number(value), sent: 0, echoed: 0 };
      sendNext();
    } else throw new Error(`not a command: ${line}`);
  };

  const sendNext = (): void => {
    if (ping.sent === ping.count) {
      console.log(`echoed ${ping.echoed}`);
      return;
    }
    ping.sent++;
    silence = setTimeout(sendNext, PATIENCE);
    program.send(Buffer.from(`ping ${ping.sent}`));
  };

  const lines = createInterface({ input: process.stdin }).on('line', obey);
  return {
    ended: new Promise((resolve) => lines.once('close', resolve)),
    receive(data) {
      const text = Buffer.from(data).toString();
      if (text.startsWith('ping ')) program.send(Buffer.from(`pong ${text.slice(5)}`));
      if (text !== `pong ${ping.sent}`) return;
      clearTimeout(silence);
      ping.echoed++;
      sendNext();
    },
  };
}

/** ms for the echo of one datagram. */
const PATIENCE = 1000;
