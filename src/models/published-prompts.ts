/** The prompt files that the authors published, known by their content: the files do not say what they were learned on. */

export interface PublishedPrompts {
  method: 'crane' | 'crane+';
  learnedOn: 'mvtec' | 'visa';
  epoch: number;
  sha256: string;
}

// AlirezaSalehy/Crane, checkpoints/ at 39181f9: trained_on_<set>_<crane or cranep>/epoch_<n>.pth
const checksums: Record<PublishedPrompts['learnedOn'], Record<PublishedPrompts['method'], string[]>> = {
  mvtec: {
    crane: [
      'e6b84fa9bbbc9161f161d206611051e56c46768ec6c00dc7fed019c9b36a66db',
      '46916c243fd8ee3432fc0e3c8029b187639d2f072cc5432fe96543f5b09761dd',
      'efa1cba8f434fb79e958e68e7fc49747350937f2d8c8d52049283cc93c89371a',
      '89f3da4238935112d3f59b22eff9693c00a3246285b8420ae16d1dbc9ad9a32d',
      'dc9bf1584c8abd8744f39e9607fdea8a04c8d30aa147de595d22bf444488e4c8',
    ],
    'crane+': [
      '233cc4e623716f1aa26ebe374dd11aa7d77205266a52902837857c5a0fdc9e21',
      'c9c8dedd84833b494d9b691622dca75ee6ec2de2405ec45cf22c89e74ceaad12',
      '09ba665ba63ff2aba053806732e9f011ae4b2247836e8d09c357da8f0ad4629f',
      '0760ccfe9ddb65280f347e7dda398e6e84c0747656d7ec428aeaa473838f587a',
      '9163f13a9c0a75ac63de16239b850cf70d366b5591b083bea2c0c41e76beed53',
    ],
  },
  visa: {
    crane: [
      '66e740da08875bf6b500dee72d6ff0c2dbc80079ad7cecaf25da74a536978f86',
      'adc4204f0315c214ed7edf4608ab1fd7319bc483a7808998ee9bcefce08fcec5',
      '14be2ff693e824b58c5b0dcf6b64164c92e015dac32f3242a754ac8650877737',
      'e4b3d9c8c384f7afdfeab9b03b7cc900c1d17fefb3990db75a12470a360ed7b4',
      '66d070e3b72b61704495bdadd0f8c4979b62a23ca7211cfe08bd08ec7c0ab831',
    ],
    'crane+': [
      'fa359b2419c851339d3f79684924d55d1ae61fe858a5845b9665e21b873dd5fa',
      '60ca0fc334afce661fdbc4c49743aa84a0f13658688d248cff3d6f40c22abded',
      'f8fa69e3d2cb20c9d851c1e2d0a446f11a731c6e02011dfa8b402cdb04de9563',
      'e3bfeee344cd028f676be37a6531c1e8a77873f1f7c9ce9f6364a937f3df7fca',
      '732c7d1b76745950c56b0f9846f46f297619dcbb1db69a61e7b8fa5609ac10ab',
    ],
  },
};

/** @throws RangeError for what was never published */
export function publishedSha256(
  learnedOn: 'mvtec' | 'visa',
  method: 'crane' | 'crane+',
  epoch: number,
): string {
  const found = checksums[learnedOn][method][epoch - 1];
  if (found === undefined) throw new RangeError(`no published prompts of epoch ${epoch}`);
  return found;
}

/** undefined: the file with this checksum is none of the authors' */
export function publishedPrompts(sha256: string): PublishedPrompts | undefined {
  for (const learnedOn of ['mvtec', 'visa'] as const) {
    for (const method of ['crane', 'crane+'] as const) {
      const at = checksums[learnedOn][method].indexOf(sha256);
      if (at !== -1) return { method, learnedOn, epoch: at + 1, sha256 };
    }
  }
  return undefined;
}
