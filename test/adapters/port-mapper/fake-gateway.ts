import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MappingProtocol } from '../../../src/core/port-mapper.ts';

/** One line of the fake gateway's table. */
export interface FakeEntry {
  protocol: MappingProtocol;
  externalPort: number;
  internalClient: string;
  internalPort: number;
  description: string;
  lease: number;
}

export interface FakeGatewayOptions {
  /** Of loopback; its description and control URL are there. Default 127.0.0.1. */
  readonly address?: string;
  readonly version?: 1 | 2;
  readonly externalAddress?: string;
  /** Its ConnectionStatus. */
  readonly status?: string;
}

/** Arguments of an action, by their names. */
export type FakeArguments = Readonly<Record<string, string>>;

/** An internet gateway device on loopback, honest unless a test tells it otherwise. SSDP reaches it by `answers` and a fake network. */
export class FakeGateway {
  readonly address: string;
  readonly version: 1 | 2;
  externalAddress: string;
  status: string;
  bootId = '1';
  readonly table: FakeEntry[] = [];
  /** What it was asked, in order: `GET /path`, or the action. */
  readonly asked: string[] = [];
  /** Is told of each request once it is whole, and takes it over when it gives true. */
  intercept: (request: IncomingMessage, response: ServerResponse, action: string | undefined) => boolean = () => false;
  /** Refuses an action by the code that it gives. */
  refuse: (action: string, args: FakeArguments) => number | undefined = () => undefined;
  /** Its description. */
  description: () => string;
  /** Where its answers to a search say that the description is. */
  location: () => string;
  readonly #server: Server;

  static async start(options: FakeGatewayOptions = {}): Promise<FakeGateway> {
    const gateway = new FakeGateway(options);
    gateway.#server.listen(0, gateway.address);
    await once(gateway.#server, 'listening');
    return gateway;
  }

  private constructor({
    address = '127.0.0.1',
    version = 1,
    externalAddress = '11.0.0.1',
    status = 'Connected',
  }: FakeGatewayOptions) {
    this.address = address;
    this.version = version;
    this.externalAddress = externalAddress;
    this.status = status;
    this.description = () => descriptionOf(this.service, '/control');
    this.location = () => `${this.origin}/rootDesc.xml`;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  get service(): string {
    return `urn:schemas-upnp-org:service:WANIPConnection:${this.version}`;
  }

  get origin(): string {
    return `http://${this.address}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What it answers to a search over SSDP, and from where. */
  answers(search: string): readonly { readonly text: string; readonly from: string }[] {
    const target = /^ST: (.*)\r$/m.exec(search)?.[1] ?? '';
    if (!target.endsWith('InternetGatewayDevice:1') && target !== this.service) return [];
    return [{ text: searchAnswer(target, this.location(), this.bootId), from: this.address }];
  }

  /** A NOTIFY of it. */
  notification(kind: 'ssdp:alive' | 'ssdp:byebye', bootId = this.bootId): string {
    return [
      'NOTIFY * HTTP/1.1',
      'HOST: 239.255.255.250:1900',
      `NT: ${this.service}`,
      `NTS: ${kind}`,
      `USN: uuid:1::${this.service}`,
      ...(kind === 'ssdp:alive' ? [`LOCATION: ${this.location()}`, 'CACHE-CONTROL: max-age=1800'] : []),
      `BOOTID.UPNP.ORG: ${bootId}`,
      '\r\n',
    ].join('\r\n');
  }

  async connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const action = /#(\w+)"$/.exec(String(request.headers.soapaction))?.[1];
    const body = await bodyOf(request);
    if (body === undefined) return;
    this.asked.push(action ?? `${request.method} ${request.url}`);
    if (this.intercept(request, response, action)) return;
    if (action === undefined) {
      response.end(this.description());
      return;
    }
    const args = Object.fromEntries(
      [...body.matchAll(/<(New\w+)>([^<]*)<\/\1>/g)].map(([, name, value]) => [name!, value!]),
    );
    const fault = this.refuse(action, args) ?? this.#faultOf(action, args);
    if (fault !== undefined) response.writeHead(500).end(soapFault(fault));
    else response.end(soapAnswer(action, this.service, this.#perform(action, args)));
  }

  #faultOf(action: string, args: FakeArguments): number | undefined {
    const entry = this.#entry(args);
    switch (action) {
      case 'AddPortMapping':
        return entry !== undefined && entry.internalClient !== args.NewInternalClient ? 718 : undefined;
      case 'AddAnyPortMapping':
        return this.version === 2 ? undefined : 401;
      case 'DeletePortMapping':
      case 'GetSpecificPortMappingEntry':
        return entry === undefined ? 714 : undefined;
      case 'GetGenericPortMappingEntry':
        return this.table[Number(args.NewPortMappingIndex)] === undefined ? 713 : undefined;
      case 'GetExternalIPAddress':
      case 'GetStatusInfo':
        return undefined;
      default:
        return 401;
    }
  }

  #perform(action: string, args: FakeArguments): FakeArguments {
    switch (action) {
      case 'GetStatusInfo':
        return { NewConnectionStatus: this.status, NewLastConnectionError: 'ERROR_NONE', NewUptime: '1' };
      case 'GetExternalIPAddress':
        return { NewExternalIPAddress: this.externalAddress };
      case 'GetSpecificPortMappingEntry':
        return entryArguments(this.#entry(args)!);
      case 'GetGenericPortMappingEntry': {
        const entry = this.table[Number(args.NewPortMappingIndex)]!;
        const key = { NewExternalPort: String(entry.externalPort), NewProtocol: entry.protocol.toUpperCase() };
        return { NewRemoteHost: '', ...key, ...entryArguments(entry) };
      }
      case 'DeletePortMapping':
        this.table.splice(this.table.indexOf(this.#entry(args)!), 1);
        return {};
      default: {
        let port = Number(args.NewExternalPort);
        if (action === 'AddAnyPortMapping') while (this.table.some((entry) => entry.externalPort === port)) port++;
        const entry = this.#entry({ ...args, NewExternalPort: String(port) });
        if (entry !== undefined) this.table.splice(this.table.indexOf(entry), 1);
        this.table.push({
          protocol: args.NewProtocol === 'UDP' ? 'udp' : 'tcp',
          externalPort: port,
          internalClient: args.NewInternalClient ?? '',
          internalPort: Number(args.NewInternalPort),
          description: args.NewPortMappingDescription ?? '',
          lease: Number(args.NewLeaseDuration),
        });
        return action === 'AddAnyPortMapping' ? { NewReservedPort: String(port) } : {};
      }
    }
  }

  #entry({ NewProtocol, NewExternalPort }: FakeArguments): FakeEntry | undefined {
    const key = `${NewProtocol?.toLowerCase()} ${NewExternalPort}`;
    return this.table.find(({ protocol, externalPort }) => `${protocol} ${externalPort}` === key);
  }
}

/** `undefined` when whoever asked has gone meanwhile. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  let body = '';
  try {
    for await (const chunk of request) body += String(chunk);
  } catch (error) {
    if (request.destroyed) return undefined;
    throw error;
  }
  return body;
}

export function searchAnswer(target: string, location: string, bootId: string): string {
  const fields = [`ST: ${target}`, `USN: uuid:1::${target}`, `LOCATION: ${location}`, `BOOTID.UPNP.ORG: ${bootId}`];
  return ['HTTP/1.1 200 OK', 'CACHE-CONTROL: max-age=120', 'EXT:', ...fields, '\r\n'].join('\r\n');
}

/** A description as gateways have it, with the service two devices deep. */
export function descriptionOf(service: string, controlUrl: string, base = ''): string {
  return `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>${base}
<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><friendlyName>Fake &amp; router</friendlyName>
<manufacturer>Nobody</manufacturer><modelName>None</modelName><UDN>uuid:1</UDN>
<serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><controlURL>/l3f</controlURL></service></serviceList>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType>
<serviceList><service><serviceType>${service}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>
<controlURL>${controlUrl}</controlURL><eventSubURL>/event</eventSubURL><SCPDURL>/scpd.xml</SCPDURL></service></serviceList>
</device></deviceList></device></deviceList></device></root>`;
}

export function soapAnswer(action: string, service: string, args: FakeArguments): string {
  const fields = Object.entries(args).map(([name, value]) => `<${name}>${value}</${name}>`);
  return envelope(`<u:${action}Response xmlns:u="${service}">${fields.join('')}</u:${action}Response>`);
}

export function soapFault(code: number): string {
  const error = `<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${code}</errorCode><errorDescription>No</errorDescription></UPnPError>`;
  return envelope(
    `<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>${error}</detail></s:Fault>`,
  );
}

function envelope(body: string): string {
  return `<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>${body}</s:Body></s:Envelope>`;
}

/** Of the answer that tells an entry, all but its key. */
export function entryArguments({ internalClient, internalPort, description, lease }: FakeEntry): FakeArguments {
  return {
    NewInternalPort: String(internalPort),
    NewInternalClient: internalClient,
    NewEnabled: '1',
    NewPortMappingDescription: description,
    NewLeaseDuration: String(lease),
  };
}
