/** Pictures from the camera; browsers give it to this machine's own pages and to pages over TLS alone. */
import { useEffect, useRef, useState } from 'preact/hooks';

export function Camera({ take }: { take: (picture: Blob) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const [stream, setStream] = useState<MediaStream>();
  const [fault, setFault] = useState('');
  useEffect(() => {
    if (video.current && stream) video.current.srcObject = stream;
    return () => {
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
  }, [stream]);
  const start = async () => {
    setFault('');
    if (!window.isSecureContext || !navigator.mediaDevices) {
      setFault('Browsers give the camera only to pages of this machine (localhost) or over TLS.');
      return;
    }
    try {
      setStream(await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }));
    } catch (thrown) {
      setFault(`The camera cannot be used: ${(thrown as Error).message}`);
    }
  };
  const snap = () => {
    const from = video.current;
    if (!from || from.videoWidth === 0) return;
    const canvas = document.createElement('canvas');
    canvas.width = from.videoWidth;
    canvas.height = from.videoHeight;
    canvas.getContext('2d')!.drawImage(from, 0, 0);
    // PNG: nothing of a defect is lost.
    canvas.toBlob((picture) => picture && take(picture), 'image/png');
  };
  return (
    <>
      <button type="button" onClick={() => (stream ? setStream(undefined) : void start())}>
        {stream ? 'Stop camera' : 'Camera'}
      </button>
      {fault && (
        <p class="warning" role="alert">
          {fault}
        </p>
      )}
      {stream && (
        <div class="camera">
          <video ref={video} autoPlay muted playsInline aria-label="Picture of the camera" />
          <button type="button" class="main" onClick={snap}>
            Take picture
          </button>
        </div>
      )}
    </>
  );
}
