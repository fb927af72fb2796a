import { setImmediate } from 'node:timers/promises';

/** The sockets and timers of this process that keep it alive, by kind. */
export function openHandles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /^(TCPSocketWrap|TCPConnectWrap|TLSWrap|Timeout|GetAddrInfo)/.test(name));
}

/** What is open now and was not open before. */
export function opened(before: readonly string[]): string[] {
  const rest = [...openHandles()];
  for (const name of before) {
    const index = rest.indexOf(name);
    if (index !== -1) rest.splice(index, 1);
  }
  return rest;
}

/** Waits until nothing is open that was not open before. Resolves with what is still open at the deadline. */
export async function closedBy(deadline: number, before: readonly string[]): Promise<string[]> {
  while (opened(before).length > 0 && performance.now() < deadline) await setImmediate();
  return opened(before);
}
