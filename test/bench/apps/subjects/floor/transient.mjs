/**
 * As many transient providers as there are names, in the two modules: what it takes of Nest to build on injection, and to
 * be told who injects. They make nothing.
 */
import { Scope } from '@nestjs/common';
import { INQUIRER } from '@nestjs/core';
import { OuterModule, declare as declareModules } from './modules.mjs';

const NAMES = ['redis', 'cluster', 'dynamodb', 'dynamodbDocument'];
const inquirer = { provide: INQUIRER, scope: Scope.TRANSIENT, useFactory: () => undefined };

export const declare = (names = NAMES) => declareModules([inquirer, ...names.map(asTransient)], names);

function asTransient(provide) {
  return { provide, scope: Scope.TRANSIENT, inject: [OuterModule, INQUIRER], useFactory: () => ({}) };
}
