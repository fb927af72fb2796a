import type { ClientDefinition } from '../definition/client-definition.js';
import type { Closing, CloseFailure, Holder } from './holding.js';

/** A client, as far as those that are built on it are concerned. */
export interface HeldClient {
  readonly name: string;
  /** Of a keyed client. */
  readonly key?: string | undefined;
  readonly definition: ClientDefinition;
  readonly isBuilding: boolean;
  readonly isEnding: boolean;
  readonly dependencies: Iterable<HeldClient>;
  /** The clients that are built on it, held or not: they end before it. */
  readonly dependents: ReadonlySet<HeldClient>;
  addDependent(client: HeldClient): void;
  removeDependent(client: HeldClient): void;
  hold(holder: Holder): void;
  retain(holder: Holder): void;
  leave(holder: Holder): void;
  withdraw(holder: Holder): Promise<CloseFailure[]>;
  release(holder: Holder, closing: Closing): Promise<CloseFailure[]>;
  end(closing: Closing): Promise<CloseFailure[]>;
}
