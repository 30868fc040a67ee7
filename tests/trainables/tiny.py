"""Small data and models, made on the spot: a text, and a causal language model of Hugging Face with its tokenizer."""

from __future__ import annotations

from pathlib import Path

SENTENCES = ("the cat sees a dog. ", "a dog sees the cat, and runs. ", "two birds sing in a tree. ")


def text(path: Path, *, sentences: int = 60) -> Path:
    """A text of few words."""
    path.write_text("".join(SENTENCES[number * number % 3] for number in range(sentences)))
    return path


def causal_model(folder: Path) -> Path:
    """A random Llama of some thousand weights, for up to 64 tokens, whose tokens are words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.train_from_iterator(SENTENCES, trainers.WordLevelTrainer(special_tokens=["<unk>"]))
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>").save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=words.get_vocab_size(),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=64,
        bos_token_id=None,
        eos_token_id=None,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder
