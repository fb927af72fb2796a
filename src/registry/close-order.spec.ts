import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeInOrder } from './close-order.js';

class Node {
  readonly dependencies = new Set<Node>();
}

const dependenciesOf = (node: Node) => node.dependencies;

/** Random graphs without cycles: each node may be built on those before it. */
const graphs = fc.integer({ min: 1, max: 25 }).chain((size) =>
  fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: size * 3 }).map((edges) => {
    const nodes = Array.from({ length: size }, () => new Node());
    for (const [a, b] of edges) if (a !== b) nodes[Math.max(a, b)]?.dependencies.add(nodes[Math.min(a, b)] as Node);
    return nodes;
  }),
);

describe('closeInOrder', () => {
  it('closes each client once, and none before the clients built on it, in 1,000 random graphs', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.infiniteStream(fc.nat(3)), async (nodes, delays) => {
        const closed: Node[] = [];
        await closeInOrder(nodes, dependenciesOf, async (node) => {
          for (let turns = delays.next().value ?? 0; turns > 0; turns -= 1) await Promise.resolve();
          closed.push(node);
        });
        expect(closed).toHaveLength(nodes.length);
        const position = new Map(closed.map((node, index) => [node, index]));
        for (const node of nodes) {
          for (const dependency of node.dependencies) {
            expect(position.get(node)).toBeLessThan(position.get(dependency) as number);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('closes independent clients at the same time', async () => {
    const nodes = [new Node(), new Node(), new Node()];
    let open = 0;
    let most = 0;
    await closeInOrder(nodes, dependenciesOf, async () => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
    });
    expect(most).toBe(3);
  });

  it('ignores a dependency that is not to be closed', async () => {
    const [inside, outside] = [new Node(), new Node()];
    inside.dependencies.add(outside);
    const closed: Node[] = [];
    await closeInOrder([inside], dependenciesOf, async (node) => void closed.push(node));
    expect(closed).toEqual([inside]);
  });

  it('closes what is built on itself after all, alone or over others, and says what came of each', async () => {
    const [itself, a, b, on] = [new Node(), new Node(), new Node(), new Node()];
    itself.dependencies.add(itself);
    a.dependencies.add(b);
    b.dependencies.add(a);
    on.dependencies.add(a);
    const nodes = [itself, a, b, on];
    const closed: Node[] = [];
    const outcomes = await closeInOrder(nodes, dependenciesOf, async (node) => closed.push(node) > 0 && node);
    expect(new Set(closed)).toEqual(new Set(nodes));
    expect(outcomes).toEqual(nodes);
    expect(closed.indexOf(on)).toBeLessThan(closed.indexOf(a));
  });
});
