"""Small ViT for images of any sensors, of 64 x 64 pixels in patches of 4."""

vit = dict(image_size=64, patch_size=4, channels=128, depth=4, num_heads=4)
