#!/usr/bin/python3
"""make_models.py DIRECTORY [NAME...]: networks of every family, exported by PyTorch, with PyTorch's own answers.

Each becomes DIRECTORY/GROUP/NAME/model.onnx beside test_data_set_0/{input,output}_*.pb, the layout of ONNX's backend
test suite. Weights and inputs are random but seeded: nothing is downloaded. Inputs are small, so that a run takes
seconds.
"""

import pathlib
import sys
import warnings

import numpy
import onnx.numpy_helper
import torch
import torchvision.models as vision

import small_models

OPSET = 17
SEED = 20
SMALL_IMAGE = (1, 3, 64, 64)


def image(*shape):
    return (torch.randn(*(shape or SMALL_IMAGE)),)


def families():
    """name -> (group, how to make the network, how to make its inputs)"""
    nets = {}

    def add(group, name, make, inputs=image):
        nets[name] = (group, make, inputs)

    def torchvision_net(name, inputs=image, **options):
        add("vision", name, lambda: getattr(vision, name)(weights=None, **options), inputs)

    for name in ["alexnet", "vgg11_bn", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "densenet121",
                 "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0", "efficientnet_v2_s",
                 "shufflenet_v2_x1_0", "squeezenet1_1", "mnasnet0_5", "regnet_y_400mf", "regnet_x_400mf",
                 "convnext_tiny"]:
        # The exporter wants pooled grids that divide the image's.
        torchvision_net(name, (lambda: image(1, 3, 224, 224)) if name in ("alexnet", "vgg11_bn") else image)
    torchvision_net("inception_v3", lambda: image(1, 3, 80, 80), init_weights=False, aux_logits=False)
    torchvision_net("googlenet", init_weights=False, aux_logits=False)
    torchvision_net("vit_b_16", image_size=64)
    torchvision_net("swin_t")
    for name in ["fcn_resnet50", "deeplabv3_resnet50", "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large"]:
        add("segmentation", name,
            lambda name=name: small_models.OnlyOut(getattr(vision.segmentation, name)(weights=None, weights_backbone=None,
                                                                                     num_classes=5)))
    for name, (make, inputs) in small_models.NETWORKS.items():
        add("small", name, make, inputs)
    return nets


def write_tensor(path, tensor, name):
    path.write_bytes(onnx.numpy_helper.from_array(numpy.ascontiguousarray(tensor.detach().numpy()),
                                                  name).SerializeToString())


def randomise_neutral(network):
    """Fresh batch norms and parameters of zeros do nothing, which would hide mistakes."""
    for parameter in network.parameters():
        if not parameter.any():
            parameter.data.normal_(0, 0.05)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)


def export(directory, make, make_inputs):
    torch.manual_seed(SEED)
    network = make().eval()
    randomise_neutral(network)
    inputs = make_inputs()
    with torch.no_grad():
        outputs = network(*inputs)
    outputs = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
    data = directory / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, inputs, str(directory / "model.onnx"), opset_version=OPSET,
                          input_names=[f"x{i}" for i in range(len(inputs))],
                          output_names=[f"y{i}" for i in range(len(outputs))])
    for i, tensor in enumerate(inputs):
        write_tensor(data / f"input_{i}.pb", tensor, f"x{i}")
    for i, tensor in enumerate(outputs):
        write_tensor(data / f"output_{i}.pb", tensor, f"y{i}")


def main():
    root, names = pathlib.Path(sys.argv[1]), sys.argv[2:]
    torch.set_num_threads(1)
    failed = 0
    for name, (group, make, inputs) in families().items():
        if names and name not in names and group not in names:
            continue
        try:
            export(root / group / name, make, inputs)
        except Exception as error:  # what one network's exporter cannot do says nothing of the others
            failed += 1
            print(f"{group}/{name}: {str(error).splitlines()[0]}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
