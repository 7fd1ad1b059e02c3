"""Advice for unknown arguments: other libraries' names of the arguments here, and misspelt names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from gradstep.interop.near_names import nearest

__all__ = ["advice", "advised_keys"]

#: arguments of Keras, optax, Hugging Face, Lightning, timm, apex and scikit-learn, with the equivalent arguments here
#: and their use. The first entry whose argument the optimizer accepts counts.
_ELSEWHERE: dict[str, list[tuple[str, str]]] = {
    "learning_rate": [("lr", "it is lr here")],
    "learning_rate_init": [("lr", "it is lr here")],
    "beta_1": [("betas", "it is the first of betas here, betas=(beta_1, beta_2)")],
    "beta_2": [("betas", "it is the second of betas here, betas=(beta_1, beta_2)")],
    "epsilon": [("eps", "it is eps here")],
    "momentum_decay_rate": [("momentum", "it is momentum here")],
    "nesterovs_momentum": [("nesterov", "it is nesterov here")],
    "use_nesterov": [("nesterov", "it is nesterov here")],
    "rho": [("alpha", "it is alpha here"), ("momentum", "it is momentum here")],
    "wd": [("weight_decay", "it is weight_decay here")],
    "l2": [("weight_decay", "it is weight_decay here, with decoupled_weight_decay=False")],
    "decay": [
        (
            "lr",
            "a decay of the rate is a schedule, lr=gradstep.InverseTimeDecay(...); that of weights is weight_decay",
        )
    ],
    "weight_decouple": [("decoupled_weight_decay", "it is decoupled_weight_decay here")],
    "decouple": [("decoupled_weight_decay", "it is decoupled_weight_decay here")],
    "clipnorm": [
        (
            "clip_norm",
            "it is clip_norm here, the norm of all gradients together (Keras's clipnorm is of each by itself)",
        )
    ],
    "global_clipnorm": [("clip_norm", "it is clip_norm here")],
    "max_grad_norm": [("clip_norm", "it is clip_norm here")],
    "max_norm": [("clip_norm", "it is clip_norm here")],
    "gradient_clip_val": [("clip_norm", "it is clip_norm here, or clip_value for single elements")],
    "clip_grad": [("clip_norm", "it is clip_norm here, or clip_value for single elements")],
    "clipvalue": [("clip_value", "it is clip_value here")],
    "use_ema": [("ema", "pass the average's decay here, ema=0.99 for Keras's default")],
    "ema_momentum": [("ema", "it is ema here, which also switches the average on")],
    "ema_decay": [("ema", "it is ema here, which also switches the average on")],
    "ema_overwrite_frequency": [("ema", "with ema, put the averages into the model by optimizer.averages here")],
    "gradient_accumulation_steps": [("accumulate", "it is accumulate here")],
    "accumulate_grad_batches": [("accumulate", "it is accumulate here")],
    "every_k_schedule": [("accumulate", "it is accumulate here")],
    "warmup_steps": [("lr", "a warmup belongs to the schedule here, lr=gradstep.Constant(1e-3).warmup(n)")],
    "warmup_ratio": [("lr", "a warmup belongs to the schedule here, lr=gradstep.Constant(1e-3).warmup(n)")],
    "mu_dtype": [("state_dtype", "it is state_dtype here")],
}
_ALIASES = {
    "adam_beta1": "beta_1",
    "adam_beta2": "beta_2",
    "adam_epsilon": "epsilon",
    "b1": "beta_1",
    "b2": "beta_2",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "init_lr": "learning_rate",
    "max_gradient_norm": "max_grad_norm",
}

#: keys that hosts write into groups: torch's schedulers, timm, apex, DeepSpeed, GaLore, SAM
_OF_HOSTS = {
    *("initial_lr", "max_lr", "min_lr", "swa_lr", "base_lr", "lr_scale", "lr_mult", "param_names", "name", "names"),
    *("max_momentum", "min_momentum", "base_momentum", "initial_momentum", "wd_mult", "wd_scale", "decay_mult"),
    *("adaptive", "bias_correction", "decay", "rank", "rho", "scale", "step", "warmup_steps"),
}
_LIKE = 0.75  # for an argument, which is refused in any case
_MISSPELT = 0.82  # for a key, which may be a host's: the similarity of ``lr0`` to ``lr`` is 0.8


def advice(name: str, known: Collection[str], least: float = _LIKE) -> str | None:
    """The advice for an argument that an optimizer does not accept, or None if no known name is similar.

    Args:
        name: the unknown argument.
        known: the arguments that the optimizer accepts.
        least: the similarity that is needed, see :func:`gradstep.interop.near_names.nearest`.

    >>> advice("learning_rate", ["lr", "betas"])
    'it is lr here'
    >>> advice("beats", ["lr", "betas"])
    "did you mean 'betas'?"
    """
    for ours, said in _ELSEWHERE.get(_ALIASES.get(name, name), ()):
        if ours in known:
            return said
    close = nearest(name, known, least)
    return f"did you mean {close!r}?" if close else None


def advised_keys(keys: Iterable[object], known: Collection[str]) -> Iterator[tuple[str, str]]:
    """The keys of a group that look like misspelt keys of the optimizer, each with advice.

    Hosts add other keys to groups. A key that extends a known name (``max_lr``) is more likely one of theirs than a
    mistake.

    Args:
        keys: the keys that the optimizer does not read.
        known: the keys that it reads.
    """
    for key in keys:
        if not isinstance(key, str) or key in _OF_HOSTS:
            continue
        is_alias = key in _ELSEWHERE or key in _ALIASES
        if not is_alias and any(_extends(key, ours) for ours in known):
            continue
        if said := advice(key, known, _MISSPELT):
            yield key, said


def _extends(key: str, other: str) -> bool:
    """Whether one is the other with words added before or after it."""
    longer, shorter = (key, other) if len(key) > len(other) else (other, key)
    return longer.startswith(f"{shorter}_") or longer.endswith(f"_{shorter}")
