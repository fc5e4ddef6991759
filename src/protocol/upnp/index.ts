/**
 * UPnP Internet Gateway Device (WANIPConnection 1 and 2, WANPPPConnection 1) with what it stands on: SSDP, device descriptions, SOAP
 * and as much of HTTP/1.1 as they need, of both sides: bytes in, values out.
 */
export type { GatewayTable, TableEntry, TableRefusal, TableWish } from '../gateway-table.ts';
export {
  type DeviceDescription,
  decodeDeviceDescription,
  isGatewayType,
  MAX_DESCRIPTION,
  SEARCH_TARGETS,
  type WanService,
  wanServiceVersion,
} from './device-description.ts';
export { FAULTS, type FaultName, isFault, UpnpFault } from './fault.ts';
export { type GatewayUrl, gatewayUrl } from './gateway-url.ts';
export {
  createHttpRequestReader,
  encodeHttpRequest,
  type HttpRequest,
  type HttpRequestReader,
  type ReceivedRequest,
} from './http-request.ts';
export {
  createHttpResponseReader,
  encodeHttpResponse,
  type HttpResponse,
  type HttpResponseReader,
} from './http-response.ts';
export { encodeIgdDescription, type IgdIdentity, igdTypes } from './igd-description.ts';
export { createIgdServer, IGD_DESCRIPTION_PATH, type IgdServer, type IgdServerOptions, refuse } from './igd-server.ts';
export {
  decodeSoapAnswer,
  decodeSoapRequest,
  encodeSoapAnswer,
  encodeSoapFault,
  encodeSoapRequest,
  MAX_SOAP_ANSWER,
  MAX_SOAP_REQUEST,
  type SoapAction,
  type SoapAnswer,
  type SoapArguments,
  type SoapRequest,
  soapAnswer,
} from './soap.ts';
export {
  decodeSearch,
  decodeSsdp,
  encodeSearch,
  encodeSsdp,
  SSDP_GROUP,
  SSDP_PORT,
  type SsdpMessage,
  type SsdpNotify,
  type SsdpResponse,
} from './ssdp.ts';
export { createSsdpServer, type SsdpServer, type SsdpServerOptions } from './ssdp-server.ts';
export {
  addAnyPortMapping,
  addPortMapping,
  type ConnectionStatus,
  deletePortMapping,
  getExternalIpAddress,
  getGenericPortMappingEntry,
  getSpecificPortMappingEntry,
  getStatusInfo,
  LONGEST_LEASE,
  type PortMappingEntry,
  type PortMappingKey,
  type PortMappingWish,
} from './wan-connection.ts';
export {
  createWanConnectionServer,
  type WanConnectionServer,
  type WanConnectionServerOptions,
} from './wan-connection-server.ts';
