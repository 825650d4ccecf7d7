/** Where objects lie under keys: a folder, or a bucket of an S3 server. */
export interface StoredObject {
  /** below the store's address, parts by / */
  key: string;
  bytes: number;
}

export interface Store {
  /** as the user gave it */
  readonly address: string;
  /** @throws CraneError E_INPUT_NOT_FOUND, E_INPUT_PERMISSION, E_IO_READ, E_DOWNLOAD */
  read(key: string): Promise<Uint8Array>;
  /** Whole or not at all, over what is there. @throws CraneError E_IO_WRITE */
  write(key: string, data: Uint8Array | string): Promise<void>;
  /**
   * Whole, and only where nothing is there: of many who create one key, one succeeds. False: it is there already, perhaps of this very
   * call, when a store's answer was lost and asked for again.
   */
  create(key: string, data: Uint8Array | string): Promise<boolean>;
  /** Whole, from a file of any size. @throws CraneError E_IO_WRITE */
  upload(key: string, path: string): Promise<void>;
  /** Whole, to a file, over what is there. @throws CraneError as read, E_IO_WRITE */
  download(key: string, path: string): Promise<void>;
  has(key: string): Promise<boolean>;
  remove(key: string): Promise<void>;
  /** In the order of the keys' bytes, page by page. @throws CraneError as read */
  list(prefix: string): AsyncIterable<StoredObject>;
  close(): void;
}
