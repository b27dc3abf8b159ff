"""ViT-L for images of any sensors, with patches of 16 pixels and images of 224; SMARTIES."""

vit = dict(image_size=224, patch_size=16, channels=1024, depth=24, num_heads=16)
