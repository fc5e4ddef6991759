import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { type ExecuteOptions, execute } from './execute.ts';
import { LabProcess } from './lab-process.ts';

/** One machine of a lab: a network namespace in which programs can be run. They are killed with the lab. */
export class NetworkNamespace {
  /** The name under which `ip netns` knows it. */
  readonly name: string;
  readonly #running = new Set<Promise<void>>();

  constructor(name: string) {
    this.name = name;
  }

  /** Runs a short command to its end and gives its stdout; rejects with its stderr when it exits other than 0. */
  run(command: string, args: readonly string[] = [], options: ExecuteOptions = {}): Promise<string> {
    return execute('ip', this.#inside(command, args), options);
  }

  /** Starts a program that speaks in lines. `env` replaces the environment, as in `node:child_process`. */
  spawn(command: string, args: readonly string[] = [], options: Pick<SpawnOptions, 'cwd' | 'env'> = {}): LabProcess {
    const child = spawn('ip', this.#inside(command, args), { ...options, stdio: 'pipe' });
    this.#track(child);
    return new LabProcess(child, command);
  }

  /** Starts a program with the caller's own choice of `stdio`, pipes by default; for bulk data. */
  spawnRaw(command: string, args: readonly string[] = [], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('ip', this.#inside(command, args), options);
    this.#track(child);
    return child;
  }

  /** Brings up loopback and what else is asked for, in one process. */
  async configure({ ip, nft = '', forwards = false, ipv6 = false }: NamespaceConfiguration): Promise<void> {
    const commands = ['link set lo up', ...ip].join('\n');
    const script = [
      ipv6 ? `for dad in ${IPV6}/*/accept_dad; do echo 0 > $dad; done` : '',
      `ip -batch - <<'END'\n${commands}\nEND`,
      nft === '' ? '' : `nft -f - <<'END'\n${nft}\nEND`,
      `echo ${forwards ? 1 : 0} > /proc/sys/net/ipv4/ip_forward`,
      ipv6 ? `echo ${forwards ? 1 : 0} > ${IPV6}/all/forwarding` : '',
    ];
    await this.run('sh', ['-e'], { input: `${script.join('\n')}\n` });
  }

  /** Fulfils when no program started here is left. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** `ip netns exec` becomes the command, so that the child's pid is the command's. */
  #inside(command: string, args: readonly string[]): string[] {
    return ['netns', 'exec', this.name, command, ...args];
  }

  #track(child: ChildProcess): void {
    const end = new Promise<void>((resolve) => child.once('close', () => resolve()));
    this.#running.add(end);
    void end.then(() => this.#running.delete(end));
  }
}

export interface NamespaceConfiguration {
  /** Lines of `ip -batch`. */
  readonly ip: readonly string[];
  /** An nftables ruleset. */
  readonly nft?: string;
  /** Whether it is a router. */
  readonly forwards?: boolean;
  /** Whether it has global IPv6 addresses; they are of use at once, as duplicates are not looked for (RFC 4862 section 5.4). */
  readonly ipv6?: boolean;
}

const IPV6 = '/proc/sys/net/ipv6/conf';
