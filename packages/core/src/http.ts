/** HTTP as values: what a runtime hands to the front door and gets back, whatever server it has. */

export interface HttpRequest {
  readonly method: string
  /** The path and query as they came, not decoded. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: Uint8Array
  /** The server stopped reading: the body is larger than allowed. */
  readonly bodyTooLarge?: boolean
}

export interface HttpResponse {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/** One mebibyte: larger bodies are refused with 413. */
export const MAX_BODY_BYTES = 1_048_576
