# The stack of the vendor's guide, as somebody who uses Terraform would write it.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }

provider "aws" {
  region                  = "eu-central-1"
  access_key              = "sandbox"
  secret_key              = "sandbox"
  skip_metadata_api_check = true
  skip_region_validation  = true
  endpoints {
    acm         = var.endpoint
    autoscaling = var.endpoint
    ec2         = var.endpoint
    elbv2       = var.endpoint
    iam         = var.endpoint
    route53     = var.endpoint
    ssm         = var.endpoint
    sts         = var.endpoint
  }
}

locals {
  vpc     = "vpc-0a1b2c3d4e5f60718"
  subnets = ["subnet-0bbbbbbbbbbbbbbb1", "subnet-0bbbbbbbbbbbbbbb2"]
}

data "aws_caller_identity" "caller" {}

data "aws_acm_certificate" "certificate" {
  domain = "*.example.com"
}

data "aws_route53_zone" "zone" {
  name = "example.com"
}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/marketplace/prod-ozsandbox00001/latest"
}

resource "aws_security_group" "balancer" {
  name        = "tf-alb-sg"
  description = "Load balancer"
  vpc_id      = local.vpc
  ingress {
    description = "Allow HTTPS traffic"
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "service" {
  name        = "tf-app-sg"
  description = "Service"
  vpc_id      = local.vpc
  dynamic "ingress" {
    for_each = [80, 8501]
    content {
      protocol        = "tcp"
      from_port       = ingress.value
      to_port         = ingress.value
      security_groups = [aws_security_group.balancer.id]
    }
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_iam_policy" "marketplace" {
  name = "TfMarketplacePolicy"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["aws-marketplace:MeterUsage"], Resource = "*" }]
  })
}

resource "aws_iam_role" "marketplace" {
  name = "TfMarketplace"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "marketplace" {
  role       = aws_iam_role.marketplace.name
  policy_arn = aws_iam_policy.marketplace.arn
}

resource "aws_iam_instance_profile" "marketplace" {
  name = "TfMarketplace"
  role = aws_iam_role.marketplace.name
}

resource "aws_launch_template" "service" {
  name                   = "tf-launch-template"
  image_id               = nonsensitive(data.aws_ssm_parameter.image.value)
  instance_type          = "c7i-flex.4xlarge"
  vpc_security_group_ids = [aws_security_group.service.id]
  update_default_version = true
  iam_instance_profile {
    name = aws_iam_instance_profile.marketplace.name
  }
  metadata_options {
    http_tokens = "required"
  }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size           = 50
      volume_type           = "gp3"
      iops                  = 12000
      throughput            = 500
      delete_on_termination = true
    }
  }
}

resource "aws_lb" "service" {
  name               = "tf-alb"
  internal           = true
  load_balancer_type = "application"
  security_groups    = [aws_security_group.balancer.id]
  subnets            = local.subnets
}

resource "aws_lb_target_group" "service" {
  name                          = "tf-tg"
  port                          = 80
  protocol                      = "HTTP"
  vpc_id                        = local.vpc
  load_balancing_algorithm_type = "least_outstanding_requests"
  health_check {
    port    = "8501"
    path    = "/"
    matcher = "404"
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.service.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = data.aws_acm_certificate.certificate.arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.service.arn
  }
}

resource "aws_lb_listener" "redirect" {
  load_balancer_arn = aws_lb.service.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_autoscaling_group" "service" {
  name                      = "tf-asg"
  min_size                  = 2
  max_size                  = 91
  vpc_zone_identifier       = local.subnets
  target_group_arns         = [aws_lb_target_group.service.arn]
  health_check_type         = "ELB"
  health_check_grace_period = 300
  default_instance_warmup   = 120
  wait_for_capacity_timeout = "0"
  launch_template {
    id      = aws_launch_template.service.id
    version = aws_launch_template.service.latest_version
  }
  tag {
    key                 = "Name"
    value               = "tf"
    propagate_at_launch = true
  }
  depends_on = [aws_lb_listener.https, aws_iam_role_policy_attachment.marketplace]
}

resource "aws_autoscaling_policy" "cpu" {
  name                   = "tf-cpu"
  autoscaling_group_name = aws_autoscaling_group.service.name
  policy_type            = "TargetTrackingScaling"
  target_tracking_configuration {
    target_value = 30
    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

resource "aws_route53_record" "service" {
  zone_id = data.aws_route53_zone.zone.zone_id
  name    = "tf.example.com"
  type    = "A"
  alias {
    name                   = aws_lb.service.dns_name
    zone_id                = aws_lb.service.zone_id
    evaluate_target_health = true
  }
}
