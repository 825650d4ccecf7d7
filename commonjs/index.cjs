/**
 * `require('crane-native')`: the objects that `import` gives, so that nothing exists twice. Node's own require loads ES
 * modules. Jest gives its tests a global object, a `require` and a `process` of its own, and none of them can: there
 * Node's are reached through a class that Jest passes in as it is, and with it the Function of Node's own global object.
 */
'use strict';

const OwnFunction = URL.constructor;
const ownProcess = OwnFunction === Function ? process : OwnFunction('return process')();
const { createRequire } = ownProcess.getBuiltinModule('node:module');

// Not the namespace itself, whose properties no test could replace.
module.exports = { ...createRequire(__filename)('../dist/index.js') };
