"""The classifiers that come with zooscope: small members of timm's families, trained on CIFAR-10."""
