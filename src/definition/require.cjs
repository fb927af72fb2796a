'use strict';

/**
 * Loads a package as the `require` of an application does, so that whatever hooks into `require` sees it.
 *
 * Only a module of Node's own has `require` on its prototype. In a bundle and in Jest this throws, since the copy in the
 * bundle, or the mock, is what the application uses. The name is not written as `require(name)`, which bundlers rewrite.
 */
exports.requirePackage = (name) => Reflect.get(Object.getPrototypeOf(module), 'require').call(module, name);
