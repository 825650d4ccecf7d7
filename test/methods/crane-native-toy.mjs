/** The command line with the tests' own method in its list: `node test/methods/crane-native-toy.mjs ...args`. */
import { addMethod } from '../../dist/methods/registry.js';
import { toy } from './toy.mjs';

addMethod(toy);
await import('../../dist/cli/main.js');
