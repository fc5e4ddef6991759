import type { Observable } from 'rxjs';
import type { Datagram } from '../../../core/datagram.ts';
import type { DatagramSocket } from '../../../core/network.ts';
import type { GatewayRestart, PortMapperEnvironment } from '../../../core/port-mapper.ts';
import { isGatewayType, SSDP_GROUP, SSDP_PORT } from '../../../protocol/upnp/index.ts';
import { createRestarts } from '../restarts.ts';
import { ssdpMessage } from './gateway-search.ts';

/** Notices that gateways have started anew, and so have lost mappings, by what they say by multicast or what others found out. */
export interface GatewayWatch {
  /** Never errors; completes on close. */
  readonly restarts$: Observable<GatewayRestart>;
  /** From now on listens for the gateway `address` on the interface that has `local`; `bootId` is what it had then, where that is known. */
  watch(address: string, local: string, bootId: string | undefined): Promise<void>;
  /** It has answered a search. */
  answered(address: string, bootId: string | undefined): void;
  /** It was found out otherwise. */
  restarted(address: string): void;
  close(): void;
}

export function createGatewayWatch({ network, clock, log }: PortMapperEnvironment): GatewayWatch {
  const restarts = createRestarts(clock);
  const gateways = new Map<string, WatchedGateway>();
  const joined = new Set<string>();
  let socket: Promise<DatagramSocket | undefined> | undefined;
  let closed = false;

  function restarted(address: string): void {
    log('upnp.gateway-restarted', { gateway: address });
    restarts.tell(address);
  }

  function noteBootId(gateway: WatchedGateway, bootId: string | undefined): void {
    const before = gateway.bootId;
    const returned = gateway.gone;
    gateway.gone = false;
    gateway.bootId = bootId ?? before;
    if (returned || (before !== undefined && gateway.bootId !== before)) restarted(gateway.address);
  }

  /** Other devices may live at the gateway's address: only what it says of its connection to the internet counts. */
  function receive({ data, from }: Datagram): void {
    const gateway = gateways.get(from.address);
    if (gateway === undefined) return;
    const message = ssdpMessage(data);
    if (message === undefined || message.kind === 'response' || !isGatewayType(message.target)) return;
    if (message.kind === 'byebye') gateway.gone = true;
    else if (message.kind === 'update') gateway.bootId = message.nextBootId ?? gateway.bootId;
    else noteBootId(gateway, message.bootId);
  }

  /** `undefined` where the port cannot be had: restarts are then noticed at the next renewal only. */
  async function open(): Promise<DatagramSocket | undefined> {
    try {
      const opened = await network.udp({ family: 4, port: SSDP_PORT, shared: true });
      if (closed) opened.close();
      else opened.datagrams$.subscribe({ next: receive, error: (error) => log('upnp.deaf', { error: String(error) }) });
      return opened;
    } catch (error) {
      log('upnp.deaf', { error: String(error) });
      return undefined;
    }
  }

  async function join(local: string): Promise<void> {
    if (joined.has(local)) return;
    joined.add(local);
    socket ??= open();
    try {
      (await socket)?.joinGroup?.(SSDP_GROUP, local);
    } catch (error) {
      joined.delete(local);
      log('upnp.deaf', { local, error: String(error) });
    }
  }

  return {
    restarts$: restarts.restarts$,
    async watch(address, local, bootId) {
      if (!gateways.has(address)) gateways.set(address, { address, bootId, gone: false });
      await join(local);
    },
    answered(address, bootId) {
      const gateway = gateways.get(address);
      if (gateway !== undefined) noteBootId(gateway, bootId);
    },
    restarted,
    close() {
      closed = true;
      void socket?.then((socket) => socket?.close());
      restarts.close();
    },
  };
}

interface WatchedGateway {
  readonly address: string;
  bootId: string | undefined;
  /** It has said goodbye, and nothing since. */
  gone: boolean;
}
