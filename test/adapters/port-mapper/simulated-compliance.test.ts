import { natPmp } from '../../../src/adapters/port-mapper/nat-pmp.ts';
import { endpoint, type PortMapper, silentLog } from '../../../src/index.ts';
import { internet, simNetwork } from '../../../src/sim.ts';
import { type PortMapperWorld, portMapperCompliance } from '../../../src/testing/compliance/index.ts';

portMapperCompliance({
  name: 'natPmp at a simulated router',
  create: async () => world(),
  skip: [{ test: 'lists what the gateway maps, for whomever', reason: 'the protocol has no list' }],
});

function world(): PortMapperWorld {
  const simulated = internet({ seed: 1 });
  const { clock, random } = simulated;
  const home = simulated.nat('home', {}, { gateway: { natPmp: true } });
  const [host, other] = [home.host('host'), home.host('other')].map((one) => one.interfaces[0]!.addressOf(4)!);
  const { table } = home.gateway!;
  const opened: PortMapper[] = [];
  return {
    clock,
    settle: (promise) => clock.runUntil(promise),
    via: 'nat-pmp',
    budget: 2_050,
    host: host!,
    gateway: {
      address: '192.168.1.1',
      externalAddress: home.external[0]!,
      table: async () =>
        table.entries(clock.now()).map(({ protocol, external, internal }) => ({
          protocol,
          externalPort: external.port,
          internal,
        })),
      async occupy(protocol, port) {
        const internal = endpoint(other!, port);
        table.add({ protocol, internal, externalPort: port, lifetime: 600, description: 'a game' }, clock.now());
      },
      silence: async () => home.router.stop(),
      mature: () => new Promise((resolve) => clock.setTimeout(resolve, 60_000)),
      restart: async () => simulated.happen({ type: 'reboot', network: 'home' }),
    },
    async open() {
      const network = simNetwork(simulated.hostNamed('host'));
      const mapper = natPmp()({ network, clock, random, log: silentLog });
      opened.push(mapper);
      return mapper;
    },
    async close() {
      await clock.runUntil(Promise.all(opened.map((mapper) => mapper.close())));
    },
  };
}
