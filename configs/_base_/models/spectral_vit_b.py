"""ViT-B for images of any sensors, with patches of 16 pixels and images of 224; SMARTIES."""

vit = dict(image_size=224, patch_size=16, channels=768, depth=12, num_heads=12)
