export type { Datagram } from '../core/datagram.ts';
export type { Endpoint, Family } from '../core/endpoint.ts';
export type {
  ByteListener,
  ByteSocket,
  DatagramSocket,
  Network,
  TcpConnectOptions,
  TcpListenOptions,
  UdpOptions,
} from '../core/network.ts';
export { eachConnection } from './each-connection.ts';
export { echo } from './echo.ts';
export type { MappedPortOptions } from './mapped-port.ts';
export { type ByteSink, pipeTo } from './pipe-to.ts';
export { type ByteSource, readEach } from './read-each.ts';
export { toDuplex, toWeb } from './session-stream.ts';
export { tcpClient } from './tcp-client.ts';
export { type TcpServerOptions, tcpServer } from './tcp-server.ts';
export { type UdpSocketOptions, udpSocket } from './udp.ts';
