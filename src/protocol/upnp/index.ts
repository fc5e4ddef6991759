/**
 * UPnP Internet Gateway Device (WANIPConnection 1 and 2, WANPPPConnection 1) with what it stands on: SSDP, device descriptions, SOAP
 * and as much of HTTP/1.1 as they need. Codecs only: bytes in, values out.
 */
export {
  type DeviceDescription,
  decodeDeviceDescription,
  isGatewayType,
  MAX_DESCRIPTION,
  SEARCH_TARGETS,
  type WanService,
  wanServiceVersion,
} from './device-description.ts';
export { FAULTS, isFault, UpnpFault } from './fault.ts';
export { type GatewayUrl, gatewayUrl } from './gateway-url.ts';
export { encodeHttpRequest, type HttpRequest } from './http-request.ts';
export { createHttpResponseReader, type HttpResponse, type HttpResponseReader } from './http-response.ts';
export {
  decodeSoapAnswer,
  encodeSoapRequest,
  MAX_SOAP_ANSWER,
  type SoapAction,
  type SoapAnswer,
  soapAnswer,
} from './soap.ts';
export {
  decodeSsdp,
  encodeSearch,
  SSDP_GROUP,
  SSDP_PORT,
  type SsdpMessage,
  type SsdpNotify,
  type SsdpResponse,
} from './ssdp.ts';
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
