export { ClientsModule } from './module/clients.module.js';
export type {
  ClientsModuleAsyncOptions,
  ClientsModuleOptions,
  ClientsOptionsFactory,
} from './module/clients.module-options.js';
export { getClientToken } from './clients.tokens.js';
export type {
  ClientDefinition,
  ClientDefinitions,
  ClientOptionsOf,
  ClientsOf,
} from './definition/client-definition.js';
export type { ClientDriver } from './definition/client-driver.js';
export type { ClientLifecycle } from './definition/client-lifecycle.js';
export type { ClientOptionsFactory, KindLifecycle } from './definition/configurable-client.js';
export {
  keyedClients,
  type ClientLease,
  type KeyedClients,
  type KeyedClientsSource,
} from './definition/keyed-clients.js';
export { defineClient } from './definition/define-client.js';
export { ClientsCloseFailedError } from './errors/clients-close-failed.error.js';
export { ClientsClosedError } from './errors/clients-closed.error.js';
export { ClientsCreateFailedError } from './errors/clients-create-failed.error.js';
export { ClientsCreateTimeoutError } from './errors/clients-create-timeout.error.js';
export { ClientsDuplicateError } from './errors/clients-duplicate.error.js';
export { ClientsExhaustedError } from './errors/clients-exhausted.error.js';
export { ClientsInvalidOptionsError } from './errors/clients-invalid-options.error.js';
export { ClientsMissingPackageError } from './errors/clients-missing-package.error.js';
export { ClientsUnknownError } from './errors/clients-unknown.error.js';
export { ClientsError, type ClientsErrorCode } from './errors/clients.error.js';
export type { ClientEvent } from './events/client-event.js';
export { InjectClient } from './inject-client.decorator.js';
export { ClientRegistry } from './registry/client-registry.js';
export type { ClientHealth, ClientState, ClientStatus } from './registry/client-status.js';
