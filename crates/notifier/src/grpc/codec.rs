//! The codec of the event service: prost, with small buffers.
//!
//! tonic allocates a codec's buffers when a stream opens. Ten thousand idle streams are normal here, and
//! with its default of 8 KiB each way the buffers would be most of what they cost.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{BufferSettings, Codec};
use tonic_prost::{ProstDecoder, ProstEncoder};

/// Decodes requests of type `Q` and encodes replies of type `T`.
#[derive(Debug)]
pub(super) struct SmallBuffers<T, Q>(PhantomData<(T, Q)>);

impl<T, Q> Default for SmallBuffers<T, Q> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

fn settings() -> BufferSettings {
    BufferSettings::new(1024, 32 * 1024)
}

impl<T, Q> Codec for SmallBuffers<T, Q>
where
    T: Message + Send + 'static,
    Q: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = Q;
    type Encoder = ProstEncoder<T>;
    type Decoder = ProstDecoder<Q>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(settings())
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::new(settings())
    }
}
