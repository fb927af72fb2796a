import { defineClient } from 'nestjs-clients';

/** Not injected but asked for: `LinkCheckerService` gets it from the registry, with the first link to check. */
export const linkChecker = defineClient({
  create: async () => {
    const { Agent } = await import('undici');
    return new Agent({ connections: 10 });
  },
  close: (agent) => agent.close(),
  destroy: (agent) => agent.destroy(),
});
