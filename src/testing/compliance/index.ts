/** Public compliance suites, for Vitest: what every implementation of a contract must do, in whatever world it runs. */
export { type PortMapperCompliance, portMapperCompliance } from './port-mapper.ts';
export type { GatewayUnderTest, PortMapperWorld, TableEntry } from './port-mapper-world.ts';
