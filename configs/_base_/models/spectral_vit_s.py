"""ViT-S for images of any sensors, for small machines; nothing is published for this size."""

vit = dict(image_size=224, patch_size=16, channels=384, depth=12, num_heads=6)
