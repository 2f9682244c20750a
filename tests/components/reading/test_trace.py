import copy

import pytest
import torch
from torch import Tensor, nn

from tests.components.networks import ByTorch, Gate, Residual, Tokens, classifier, cnn
from zooscope import load_classifier
from zooscope.components.reading.read import read_components
from zooscope.components.reading.trace import trace
from zooscope.errors import ClassifierError


def test_steps_come_in_order_with_the_module_that_ran_and_what_it_took() -> None:
    seen = trace(classifier(nn.Sequential(nn.Conv2d(3, 4, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 5))))
    assert [(step.path, step.operation) for step in seen.steps if step.operation not in {"view", "t"}] == [
        ("0", "convolution"),
        ("1", "relu"),
        ("3", "addmm"),
    ]
    convolution, relu = seen.steps[:2]
    assert [value.name for value in convolution.inputs] == ["", "0.weight", "0.bias"]
    assert seen.find_before(relu) == [convolution]
    assert seen.find_after(convolution) == [relu]
    assert seen.find_maker(seen.pixels) is None
    assert convolution.output.num_places == 256


def test_what_only_weights_go_through_is_no_step() -> None:
    class Standardized(nn.Conv2d):
        def forward(self, values: Tensor) -> Tensor:
            weight = nn.functional.batch_norm(self.weight.reshape(1, len(self.weight), -1), None, None, training=True)
            return nn.functional.conv2d(values, weight.reshape(self.weight.shape))

    seen = trace(classifier(nn.Sequential(Standardized(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))))
    assert not any("norm" in step.operation for step in seen.steps)
    assert seen.steps[0].arguments[1].learned


def test_the_classifier_is_left_as_it_was() -> None:
    read = classifier(cnn(inside=Gate(nn.Conv2d(16, 16, 1))))
    before, digest = copy.deepcopy(read.network.state_dict()), read.digest
    fast = torch.backends.mha.get_fastpath_enabled()
    read_components(read)
    after = classifier(read.network)
    assert after.digest == digest
    assert all(torch.equal(value, before[name]) for name, value in read.network.state_dict().items())
    for module in read.network.modules():
        assert not vars(module)["_forward_hooks"]
        assert not vars(module)["_forward_pre_hooks"]
        assert not module.training
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in read.network.parameters())
    assert torch.backends.mha.get_fastpath_enabled() == fast
    assert torch.is_grad_enabled()


def test_reading_takes_one_pass_of_one_image() -> None:
    shapes: list[torch.Size] = []

    class Noting(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            shapes.append(pixels.shape)
            return pixels

    read_components(classifier(nn.Sequential(Noting(), cnn())))
    assert shapes == [torch.Size([1, 3, 32, 32])]


@pytest.mark.parametrize("network", [cnn, lambda: Tokens(ByTorch(16), pool="token")], ids=["convolutions", "tokens"])
def test_shapes_alone_read_as_real_weights_do(network: type[nn.Module]) -> None:
    real = read_components(classifier(network()))
    with torch.device("meta"):
        shapes = read_components(classifier(network()))
    assert shapes == real


def test_weights_in_half_precision_read_alike() -> None:
    whole, half = load_classifier("bundled:resnet"), load_classifier("bundled:resnet")
    half.network.bfloat16()
    assert read_components(half) == read_components(whole)


def test_a_network_that_can_not_take_its_image_is_refused_in_one_sentence_with_the_module_and_without_hooks_left() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), Residual(nn.Conv2d(5, 4, 1)))
    with pytest.raises(
        ClassifierError, match=r"^by hand: the components can't be read, since .* image fails in 1.branch.0 \(.*\);"
    ):
        trace(classifier(network))
    assert not any(vars(module)["_forward_hooks"] or vars(module)["_forward_pre_hooks"] for module in network.modules())


def test_attention_by_torch_is_seen_as_products_even_where_torch_would_fuse_it() -> None:
    fused = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    seen = trace(classifier(Tokens(fused)))
    assert sum("softmax" in step.operation for step in seen.steps) == 1
    assert read_components(classifier(Tokens(fused)))["base architecture"].value == "Transformer"
