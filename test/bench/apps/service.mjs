import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { asController, asInjectable, asModule } from './decorate.mjs';

const FEATURES = ['links', 'stats', 'users', 'teams', 'tags', 'plans', 'invoices', 'events', 'search', 'settings'];

/**
 * The service that everything is measured in: ten features, each a module with a controller and a provider. The first
 * one uses a client, if there is one.
 *
 * @param subject how the clients come into the application: `imports`, and what the handler injects
 * - `inject`: the token of what the handler injects, if it injects
 * - `pick`: makes the client of what was injected, or has it from elsewhere
 */
export function createService({ imports = [], inject = [], pick }) {
  const features = FEATURES.map((name, index) => (index === 0 ? withClient(name, inject, pick) : createFeature(name)));
  const { ClientController } = features[0];
  return asModule(
    { imports: [...imports, ...features] },
    class ServiceModule {
      static ClientController = ClientController;
    },
  );
}

function createFeature(name) {
  const Service = createProvider(name);
  class FeatureController {
    constructor(service) {
      this.service = service;
    }
    find(id) {
      return this.service.find(id);
    }
  }
  asController(name, FeatureController, [Service], { find: ':id' });
  return asModule({ controllers: [FeatureController], providers: [Service] }, class FeatureModule {});
}

function withClient(name, tokens, pick) {
  const Service = createProvider(name);
  class ClientController {
    constructor(service, ...injected) {
      this.service = service;
      this.client = pick?.(...injected);
    }
    async find(id) {
      return { ...this.service.find(id), value: await this.client.get(id) };
    }
    /** Work between two commands, so that a shutdown finds requests in their middle. */
    async visit(id) {
      await this.client.incr(id);
      await delay(10);
      return { ...this.service.find(id), visits: await this.client.get(id) };
    }
  }
  asController(name, ClientController, [Service, ...tokens], { find: ':id', visit: ':id/visit' });
  const metadata = { controllers: [ClientController], providers: [Service] };
  return asModule(
    metadata,
    class ClientFeatureModule {
      static ClientController = ClientController;
    },
  );
}

function createProvider(name) {
  class Service {
    find(id) {
      return { name, id };
    }
  }
  return asInjectable(Service, []);
}
