/** Pictures that lie at an address: nothing is fetched before their turn comes. */

/** s3://, http:// or https:// */
export function isRemotePicture(address: string): boolean {
  return /^(?:s3|https?):\/\//i.test(address);
}

/** Read anew each time that its bytes are asked for. */
export class RemotePicture extends Blob {
  readonly #address: string;

  constructor(address: string) {
    super([]);
    this.#address = address;
  }

  /** @throws CraneError E_INPUT_NOT_FOUND, E_INPUT_PERMISSION, E_INPUT_URL, E_DOWNLOAD */
  override async arrayBuffer(): Promise<ArrayBuffer> {
    // What opens connections is loaded by who asks for it.
    const { bytesAt } = await import('./address-bytes.js');
    return (await bytesAt(this.#address)).buffer;
  }
}
