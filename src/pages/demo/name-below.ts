/** The name of a file below the folder of the list that names it, on every platform. What the demo writes is called so too. */
import { z } from 'zod';

export const nameBelow = z.string().refine((name) => {
  const isPlain = (part: string) => part !== '' && part !== '.' && part !== '..' && !/[\\:\0]/.test(part);
  return name.split('/').every(isPlain);
}, 'expected the name of a file below the folder of this list');
