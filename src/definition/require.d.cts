export function requirePackage(name: string): unknown;
