import {
  Inject,
  Module,
  Optional,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ClientsCoreModule } from './clients-core.module.js';
import type { ClientsModuleAsyncOptions, ClientsModuleOptions } from './clients.module-options.js';
import {
  createClientProviders,
  DECLARATION,
  declareClients,
  inquirerProvider,
  missingDeclarationProvider,
  refuseMissingDeclaration,
  type Declaration,
} from './clients.providers.js';
import type { ClientDefinitions, ClientOptionsOf } from '../definition/client-definition.js';
import type { Dependency } from '../definition/dependency.js';
import type { OptionsOrPromise } from '../definition/known-options.js';
import { setDistance } from './set-distance.js';
import { ShutdownWarning } from './shutdown-warning.js';
import { validateAsyncOptions, validateOptions } from './validate-options.js';
import { REGISTRY, type ClientRegistry } from '../registry/client-registry.js';

/**
 * Declares an application's clients: each is built when it is first injected, shared by every class that injects it, and
 * closed once, in the right order, at shutdown.
 *
 * Evaluating `forRoot` builds nothing, loads no SDK and opens no socket. Call it as often as is convenient: all calls
 * share one registry. Applications must call `app.enableShutdownHooks()` for clients to be closed on SIGTERM.
 *
 * @example
 * @Module({
 *   imports: [ClientsModule.forRoot({ clients: { redis: redisClient('redis://localhost:6379') } })],
 * })
 * export class AppModule {}
 */
@Module({ providers: [missingDeclarationProvider] })
export class ClientsModule implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly needsClosing: boolean;

  /** @internal Nest calls it. */
  constructor(
    /** @internal */ @Optional() @Inject(REGISTRY) readonly registry: ClientRegistry,
    @Optional() @Inject(DECLARATION) declaration: Declaration | undefined,
    @Optional() @Inject(ShutdownWarning) private readonly warning: ShutdownWarning,
    @Inject(ModulesContainer) modules: ModulesContainer,
  ) {
    if (!declaration) refuseMissingDeclaration();
    this.needsClosing = Object.values(declaration.clients).some(({ lifecycle }) => lifecycle.owned);
    setDistance(modules, this, -Infinity);
    declareClients(registry, modules, declaration); // a lazily loaded module finds the registry already there
  }

  /** Opens connections after every other module's bootstrap hook, so that a bootstrap that fails opens none. */
  async onApplicationBootstrap(): Promise<void> {
    await this.registry.start();
    if (this.needsClosing) this.warning.arm();
  }

  /** Shutdown has begun; this is its first hook. */
  onModuleDestroy(): void {
    this.warning.disarm();
    this.registry.refuseBuilds();
  }

  /**
   * Declares clients whose options are known here, or come from a factory of their own.
   *
   * @throws ClientsInvalidOptionsError (`CLIENTS_INVALID_OPTIONS`) if an option cannot work. Two calls that declare the
   * same name make bootstrap fail with `CLIENTS_DUPLICATE`.
   * @example
   * ClientsModule.forRoot({ clients: { dynamodb: dynamoDBClient({ region: 'eu-west-1' }) } });
   */
  static forRoot<C extends ClientDefinitions>(options: ClientsModuleOptions<C>): DynamicModule {
    validateOptions(options);
    return compose(options);
  }

  /**
   * Declares clients whose options come from elsewhere: one factory returns them by name, typed from the definitions. It
   * runs when the first of these clients is built, not at bootstrap.
   *
   * @throws ClientsInvalidOptionsError (`CLIENTS_INVALID_OPTIONS`) if an option cannot work. Options that the factory
   * returns are checked when the client is built.
   * @example
   * ClientsModule.forRootAsync({
   *   imports: [ConfigModule],
   *   inject: [ConfigService],
   *   clients: { dynamodb: dynamoDBClient(), redis: redisClient() },
   *   useFactory: (config) => ({
   *     dynamodb: { region: config.getOrThrow('AWS_REGION') },
   *     redis: { url: config.getOrThrow('REDIS_URL') },
   *   }),
   * });
   */
  static forRootAsync<
    C extends ClientDefinitions,
    R extends OptionsOrPromise<ClientOptionsOf<C>> = OptionsOrPromise<ClientOptionsOf<C>>,
    I extends readonly Dependency[] = readonly Dependency[],
  >(options: ClientsModuleAsyncOptions<C, R, I>): DynamicModule {
    validateAsyncOptions(options);
    return compose(options);
  }
}

function compose(options: ClientsModuleAsyncOptions): DynamicModule {
  const { isGlobal = true, imports = [] } = options;
  const clients = { ...options.clients }; // a copy: later changes to the caller's object would not be validated
  const declaration: Declaration = { clients, options };
  const providers = createClientProviders(clients, ClientsModule);
  return {
    module: ClientsModule,
    global: isGlobal,
    imports: [ClientsCoreModule, ...imports],
    providers: [{ provide: DECLARATION, useValue: declaration }, inquirerProvider, ...providers],
    exports: [ClientsCoreModule, ...providers.map(({ provide }) => provide)],
  };
}
