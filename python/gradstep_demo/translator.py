"""A network that reads a name and writes another, character by character, attending to what it read."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gradstep_demo.characters import Alphabet

PAD, START, END = "\0", "\2", "\3"  # they sort before all others, so that PAD is number 0 of every alphabet
MARKS = PAD + START + END


class Translator(nn.Module):
    """Encoder and decoder are recurrent; between them is attention (Luong, Pham and Manning 2015)."""

    def __init__(self, sources: int, targets: int, width: int = 128) -> None:
        super().__init__()
        self.read = nn.Embedding(sources, 64)
        self.encoder = nn.GRU(64, width // 2, batch_first=True, bidirectional=True)
        self.written = nn.Embedding(targets, 64)
        self.decoder = nn.GRU(64, width, batch_first=True)
        self.query = nn.Linear(width, width, bias=False)
        self.combine = nn.Linear(2 * width, width)
        self.output = nn.Linear(width, targets)

    def forward(self, sources: Tensor, written: Tensor) -> Tensor:
        """Logits for the character after each that is written, up to the last that a row of the batch has."""
        sources, written = trimmed(sources), trimmed(written)
        return self.decode(self.encode(sources), sources == 0, written)[0]

    def encode(self, sources: Tensor) -> Tensor:
        """What is known of each character of the sources. Packed, so that no padding is read from the end on."""
        lengths = (sources != 0).sum(1)
        packed = pack_padded_sequence(self.read(sources), lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.encoder(packed)[0], batch_first=True)[0]

    def decode(
        self, memory: Tensor, padding: Tensor, written: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The logits, and the state from which to write on."""
        outputs, state = self.decoder(self.written(written), state)
        scores = self.query(outputs) @ memory.transpose(1, 2)
        found = scores.masked_fill(padding[:, None], -torch.inf).softmax(-1) @ memory
        return self.output(torch.tanh(self.combine(torch.cat([found, outputs], -1)))), state


def trimmed(rows: Tensor) -> Tensor:
    """Without the columns at the end that are padding in every row."""
    return rows[:, : int((rows != 0).any(0).sum())]


def translation_loss(logits: Tensor, answers: Tensor) -> Tensor:
    """Cross entropy for each character, without the padding."""
    return cross_entropy(logits.transpose(1, 2), answers[:, : logits.shape[1]], ignore_index=0)


def padded(alphabet: Alphabet, texts: Sequence[str]) -> Tensor:
    """A row for each text, all of one length."""
    length = max(map(len, texts))
    return torch.stack([alphabet.encode(text.ljust(length, PAD)) for text in texts])


@torch.no_grad()
def translate(model: Translator, sources: Tensor, alphabet: Alphabet, longest: int) -> list[str]:
    """What the model writes for each source if it takes the likeliest character each time."""
    memory, state = model.encode(sources), None
    written = torch.full((len(sources), 1), alphabet.numbers[START])
    for _ in range(longest):
        logits, state = model.decode(memory, sources == 0, written[:, -1:], state)
        likeliest = logits[:, :, 2:].argmax(-1) + 2  # never PAD nor START
        written = torch.cat([written, likeliest], dim=1)
    return [alphabet.decode(row).split(END)[0] for row in written[:, 1:]]
