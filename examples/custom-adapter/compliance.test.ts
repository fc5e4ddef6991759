/**
 * What every port mapper promises, held by this one: the public compliance suite, in virtual time.
 *
 * Run: `npx vitest run --root examples custom-adapter`
 */
import { endpoint, type PortMapper, silentLog } from 'sallyport';
import { internet, simNetwork } from 'sallyport/sim';
import { type PortMapperWorld, portMapperCompliance } from 'sallyport/testing/compliance';
import { SimulatedRouter } from './router.ts';
import { routerApi } from './router-api.ts';

portMapperCompliance({
  name: 'routerApi',
  create: async () => world(),
  skip: [{ test: 'lists what the gateway maps, for whomever', reason: 'the library has no list' }],
});

function world(): PortMapperWorld {
  const simulated = internet({ seed: 1 });
  const { clock, random } = simulated;
  const home = simulated.nat('home');
  const [host, other] = ['host', 'other'].map((name) => home.host(name).interfaces[0]!.addressOf(4)!);
  const router = new SimulatedRouter(simulated, 'home');
  const { explicit } = router.nat;
  const opened: PortMapper[] = [];
  return {
    clock,
    settle: (promise) => clock.runUntil(promise),
    via: 'router-api',
    budget: 2_010,
    host: host!,
    gateway: {
      address: '192.168.1.1',
      externalAddress: home.external[0]!,
      table: async () =>
        explicit.list(clock.now()).map(({ protocol, internal, external }) => ({
          protocol,
          externalPort: external.port,
          internal,
        })),
      async occupy(protocol, port) {
        explicit.add(
          { protocol, internal: endpoint(other!, port), externalPort: port, lifetime: 600_000 },
          clock.now(),
        );
      },
      silence: async () => router.silence(),
      mature: async () => {},
      restart: async () => router.restart(),
    },
    async open() {
      const network = simNetwork(simulated.hostNamed('host'));
      const mapper = routerApi(router)({ network, clock, random, log: silentLog });
      opened.push(mapper);
      return mapper;
    },
    async close() {
      await clock.runUntil(Promise.all(opened.map((mapper) => mapper.close())));
    },
  };
}
