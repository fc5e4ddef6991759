/**
 * Guessing the external port of one of many sockets (a birthday attack on the ports of a NAT): roles, ports and pace, sans-IO. With m
 * open sockets and k probes the chance is 1 - C(N-m,k) / C(N,k) of N = 64512 ports: 98.35 % for 256 and 1024.
 */
export { createPace, type Pace } from './pace.ts';
export { drawPorts, NAT_PORTS } from './port-draw.ts';
export {
  createProbeBudget,
  PROBE_BUDGET,
  PROBE_PERIOD,
  type ProbeBudget,
  type SharedProbeBudget,
} from './probe-budget.ts';
export { mayHaveRoles, type SprayRoles, sprayRoles } from './roles.ts';
