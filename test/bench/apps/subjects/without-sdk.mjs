/** The library with a client of no SDK: what it takes where nothing else is there to be loaded. */
import { ClientRegistry, ClientsModule, defineClient } from 'nestjs-clients';

export const declare = () => ({
  imports: [ClientsModule.forRoot({ clients: { map: defineClient({ create: () => new Map() }) } })],
  inject: [ClientRegistry],
  pick: (registry) => ({ get: async (id) => (await registry.get('map')).get(id) }),
});
